from statistics import mean

readings = read_step_output("load_readings")
averages = {sensor: round(mean(values), 2) for sensor, values in readings.items()}
print(averages)

write_step_output(averages)
