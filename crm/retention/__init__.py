"""How long what grows is kept: classes of data, their days, and the tick that drops what is older."""
