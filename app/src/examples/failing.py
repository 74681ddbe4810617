import sys

prices = {"apples": "1.20", "pears": "2.05", "plums": "n/a"}

total = 0.0
for fruit, price in prices.items():
    print(f"adding {fruit}: {price}")
    if not price.replace(".", "").isdigit():
        print(f"warning: the price of {fruit} looks odd", file=sys.stderr)
    total += float(price)

print(f"total: {total}")
