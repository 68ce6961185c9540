"""Objects to text: terminal, Markdown, HTML, SVG. Pure."""
