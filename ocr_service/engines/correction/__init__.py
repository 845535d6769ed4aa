"""What a recogniser cannot tell by a character's shape, told by what stands around it; and marks for which it has no letter."""
