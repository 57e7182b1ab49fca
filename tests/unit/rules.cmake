# gateway/rules
