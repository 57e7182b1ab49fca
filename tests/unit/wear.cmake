# gateway/wear
