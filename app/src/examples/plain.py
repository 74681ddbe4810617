import platform
import time

print(f"\033[1mHello from Python {platform.python_version()}\033[0m")

colours = {"embers": 31, "flames": 33, "smoke": 90}
for step, (name, colour) in enumerate(colours.items(), start=1):
    time.sleep(1)
    print(f"{step}/3 \033[{colour}m{name}\033[0m")

print("\033[32mdone\033[0m")
