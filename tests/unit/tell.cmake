# gateway/tell
