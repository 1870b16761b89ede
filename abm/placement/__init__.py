"""Put cells on the lattice at time 0, one file a kind of tissue."""

from .drawn import place_drawn as place_drawn
from .earlier import place_earlier as place_earlier
from .labels import place_labels as place_labels
from .lattice import Placement as Placement
from .nests import place_nests as place_nests
from .nodule import place_nodule as place_nodule
from .scattered import place_scattered as place_scattered
from .strip import place_strip as place_strip
from .table import place_table as place_table
from .tiles import place_tiles as place_tiles
