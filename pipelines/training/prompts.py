"""The 48 fixed prompts of the contact sheet, and the everyday words that no caption contains."""

THINGS = ("apple", "cat", "dog", "house", "car", "pizza", "rocket", "sunflower", "guitar", "octopus", "castle", "tree")
STYLES = ("3d", "flat", "cartoon")
SCENES = (
    "a yellow car", "a blue heart", "a purple fish", "a green house",
    "two red apples", "three cats", "two dogs", "four strawberries",
    "a cat to the left of a tree", "a dog on the grass", "a rocket at night", "红色的苹果",
)  # fmt: skip
SHEET = tuple(f"{thing}, {style}" for style in STYLES for thing in THINGS) + SCENES
# Chosen before any picture of them was drawn: a word that neither names, keywords nor everyday names contain, and
# what a picture of it should look like, by the corpus' name.
UNSEEN = {
    "lorry driver's truck": "articulated lorry", "canine": "dog", "feline": "cat", "saloon car": "automobile",
    "cottage": "house", "fortress": "castle", "spud": "potato", "aeroplane": "airplane", "stallion": "horse",
    "piglet": "pig", "foal": "horse", "lamb": "ewe", "serpent": "snake", "timepiece": "watch",
    "footwear": "running shoe",
    "locomotive engine": "locomotive", "settee": "couch and lamp", "armchair": "couch and lamp", "tome": "closed book",
    "blossoming rose": "rose", "blade": "kitchen knife", "tabby": "cat", "mutt": "dog", "hatchet": "axe",
    "spaceship": "rocket", "violinist's fiddle": "violin", "ballpoint": "pen", "rucksack": "backpack",
}  # fmt: skip
