"""From speech to lips: sounds, the shapes they have, and the mouth as a function of speech time."""
