readings = read_step_output("load_readings")
averages = read_step_output("find_averages")

print("sensor  average  above it")
for sensor, average in averages.items():
    above = sum(value > average for value in readings[sensor])
    print(f"{sensor:6}  {average:7.2f}  {above} of {len(readings[sensor])}")
