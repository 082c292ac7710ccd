"""What somebody on a web page asks for beside answers."""
