"""One loop each: ports in, messages out. Stages do not know each other; `app.line` wires them."""
