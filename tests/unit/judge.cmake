# gateway/judge
