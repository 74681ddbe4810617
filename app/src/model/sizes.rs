//! Sizes in words.

/// A number of bytes for people: `512 B`, `1.5 KiB`, `2.0 GiB`.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // In tenths, rounded to the nearest, in whole numbers: no float has to hold 64 bits.
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = 0;
    tenths = (tenths + 512) / 1024;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let name = UNITS[unit];
    if tenths < 1000 { format!("{}.{} {name}", tenths / 10, tenths % 10) } else { format!("{} {name}", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        let texts = [0, 1023, 1024, 1536, 102_400, 1 << 20, 2_147_483_648, u64::MAX].map(bytes_text);
        assert_eq!(texts, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "100 KiB", "1.0 MiB", "2.0 GiB", "16384 PiB"]);
    }
}
