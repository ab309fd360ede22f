"""One library each behind a port of `app.ports`. Backends do not know each other; `app.compose` picks them."""
