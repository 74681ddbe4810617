import numpy as np
import pandas as pd

random = np.random.default_rng(seed=7)
readings = pd.DataFrame(
    {
        "sensor": random.choice(["north", "south", "roof"], size=600),
        "celsius": random.normal(loc=21.0, scale=3.5, size=600).round(2),
    }
)

print(f"numpy {np.__version__}, pandas {pd.__version__}")
print(f"{len(readings)} readings\n")
print(readings.groupby("sensor")["celsius"].agg(["count", "mean", "std", "max"]).round(2))
