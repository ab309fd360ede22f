"""Photos of people: loading, finding the face and its points, what a talking photo is made from."""
