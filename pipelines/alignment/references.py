"""Captions of other pictures, which a text is compared with: a score says how well it stands out among them."""

# Short, concrete, about as different as pictures are. 64, so that by chance a text is chosen one time in 65.
REFERENCES = (
    "a red car parked on a street", "a plate of pasta with tomato sauce", "two dogs running on a beach",
    "a woman reading a book", "a snowy mountain under a blue sky", "an old wooden door", "a bowl of fruit on a table",
    "a city skyline at night", "a child blowing soap bubbles", "a white cat on a sofa", "a green forest path",
    "a bicycle leaning against a wall", "a cup of coffee", "a football match in a stadium", "a yellow flower",
    "an airplane in the clouds", "a bridge over a river", "a man playing the guitar", "a chocolate cake with candles",
    "a sailing boat on the sea", "a computer on a desk", "a horse in a field", "a pair of shoes", "a slice of pizza",
    "an elephant at a waterhole", "a rocket in space", "a clock on a tower", "a purple butterfly on a leaf",
    "a group of people at a party", "a lighthouse on a cliff", "a steaming train", "a bird on a branch",
    "a traffic light", "a heart", "a smiling yellow face", "a black umbrella in the rain", "a kitchen with a stove",
    "a map of an island", "a robot", "a house with a red roof", "a waterfall in the jungle", "a glass of beer",
    "a fish in an aquarium", "a page of handwritten text", "a doctor in a hospital", "a chair and a lamp",
    "a desert with a camel", "a tennis racket and a ball", "a castle on a hill", "a pile of coins",
    "the moon and stars at night", "a bunch of balloons", "a hand holding a phone", "a dinosaur skeleton",
    "a penguin on the ice", "a shelf full of bottles", "a knife and a fork", "a wedding dress", "a Christmas tree",
    "a mushroom in the grass", "a drawing of a dragon", "a tractor on a farm", "a plain grey background",
    "a colourful abstract pattern",
)  # fmt: skip
