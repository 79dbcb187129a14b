"""The 48 fixed prompts of the contact sheet, and the everyday words that no caption contains."""

THINGS = ("apple", "cat", "dog", "house", "car", "pizza", "rocket", "sunflower", "guitar", "octopus", "castle", "tree")
STYLES = ("3d", "flat", "cartoon")
SCENES = (
    "a yellow car", "a blue heart", "a purple fish", "a green house",
    "two red apples", "three cats", "two dogs", "four strawberries",
    "a cat to the left of a tree", "a dog on the grass", "a rocket at night", "红色的苹果",
)  # fmt: skip
SHEET = tuple(f"{thing}, {style}" for style in STYLES for thing in THINGS) + SCENES
# Chosen before any picture of them was drawn: 100 everyday nouns that no name, everyday name, keyword or wording of the
# corpus contains, and what a picture of each should look like, by the corpus' name.
UNSEEN = {
    "hound": "dog", "pooch": "dog", "stallion": "horse", "piglet": "pig", "hare": "rabbit", "lioness": "lion",
    "tigress": "tiger", "stag": "deer", "reindeer": "deer", "chimp": "monkey", "gator": "crocodile",
    "gecko": "lizard", "cobra": "snake", "toad": "frog", "trout": "fish", "salmon": "fish", "tarantula": "spider",
    "sparrow": "bird", "pigeon": "dove", "hawk": "eagle", "falcon": "eagle", "hen": "chicken",
    "cockerel": "rooster", "mallard": "duck", "macaw": "parrot", "mandarin": "tangerine", "clementine": "tangerine",
    "courgette": "cucumber", "zucchini": "cucumber", "spud": "potato", "jalapeno": "hot pepper",
    "biscuit": "cookie", "muffin": "cupcake", "espresso": "hot beverage", "latte": "hot beverage",
    "cappuccino": "hot beverage", "champagne": "bottle with popping cork", "ravioli": "dumpling",
    "cheeseburger": "hamburger", "hatchback": "automobile", "jeep": "sport utility vehicle", "minivan": "minibus",
    "moped": "motor scooter", "motorbike": "motorcycle", "dinghy": "sailboat", "kayak": "canoe",
    "airliner": "airplane", "chopper": "helicopter", "spaceship": "rocket", "spacecraft": "rocket",
    "cottage": "house", "bungalow": "house", "skyscraper": "office building", "fortress": "castle",
    "cathedral": "church", "settee": "couch and lamp", "armchair": "couch and lamp", "mattress": "bed",
    "cot": "bed", "loo": "toilet", "telly": "television", "cellphone": "mobile phone", "timepiece": "watch",
    "knapsack": "backpack", "wallet": "purse", "gown": "dress", "spectacles": "glasses", "mitten": "gloves",
    "fiddle": "violin", "ukulele": "guitar", "bongo": "drum", "mallet": "hammer", "tome": "closed book",
    "quill": "pen", "biro": "pen", "bonfire": "fire", "teardrop": "droplet", "conifer": "evergreen tree",
    "spruce": "evergreen tree", "oak": "deciduous tree", "birch": "deciduous tree", "cranium": "skull",
    "spook": "ghost", "android": "robot", "cosmonaut": "astronaut", "walnut": "chestnut", "daisy": "blossom",
    "goblet": "wine glass", "headset": "headphone", "dustbin": "wastebasket", "pickaxe": "pick", "parka": "coat",
    "raincoat": "coat", "fedora": "top hat", "frisbee": "flying disc", "apricot": "peach", "doggy": "dog",
    "mare": "horse", "hog": "pig", "fawn": "deer",
}  # fmt: skip
