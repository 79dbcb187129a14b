"""What a prompt asks for, as a scene: things, how many, in which colour and size, where, on what, in which style."""
