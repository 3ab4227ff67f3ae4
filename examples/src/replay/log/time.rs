//! Times as logs write them.

use std::ops::RangeInclusive;

/// Unix seconds of a time: a number, `2000-10-10T13:55:36-07:00`, or `10/Oct/2000:13:55:36 -0700`.
///
/// A number counts from 1970 in seconds, milliseconds, microseconds or nanoseconds, which its size tells. ISO times may
/// have a fraction, a space before the clock and slashes in the date, as some servers write them; without a zone they
/// are taken for UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    unix(text).or_else(|| iso(text)).or_else(|| common(text))
}

fn unix(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let number: i64 = whole.parse().ok()?;
    let unit = match number.unsigned_abs() {
        // Seconds up to the year 5138, in which milliseconds counted from 1970 would be in 1973.
        0..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    is_number(fraction).then_some(number.div_euclid(unit))
}

fn iso(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = split(date, if date.contains('/') { '/' } else { '-' })?;
    let end = rest.find(|sign: char| !sign.is_ascii_digit() && !matches!(sign, ':' | '.' | ',')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    let clock = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if is_number(fraction) => clock,
        Some(_) => return None,
        None => clock,
    };
    let offset = match zone.trim_start() {
        "" | "Z" | "z" | "UTC" => 0,
        zone => offset(zone)?,
    };
    Some(seconds([year, month, day], clock)? - offset)
}

/// A time like `10/Oct/2000:13:55:36 -0700`.
fn common(text: &str) -> Option<i64> {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (time, zone) = text.split_once(' ')?;
    let (date, clock) = time.split_once(':')?;
    let [day, month, year] = split(date, '/')?;
    let month = NAMES.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    Some(seconds([year, &month.to_string(), day], clock)? - offset(zone)?)
}

/// Seconds from the epoch to a date and a time of day of UTC.
fn seconds([year, month, day]: [&str; 3], clock: &str) -> Option<i64> {
    let (year, month, day) = (number(year, 1..=9999)?, number(month, 1..=12)?, number(day, 1..=31)?);
    let (hour, rest) = clock.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    let of_day = number(hour, 0..=23)? * 3600 + number(minute, 0..=59)? * 60 + number(second, 0..=60)?;
    let next_month = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let date = days_since_epoch(year, month, day);
    (date < days_since_epoch(next_month.0, next_month.1, 1)).then_some(date * 86_400 + of_day)
}

fn split(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn number(digits: &str, range: RangeInclusive<i64>) -> Option<i64> {
    is_number(digits).then(|| digits.parse().ok())?.filter(|number| range.contains(number))
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Seconds that a zone like `-0700`, `-07:00` or `-07` is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = match minutes.strip_prefix(':').unwrap_or(minutes) {
        "" => "00",
        minutes => minutes,
    };
    Some(sign * (number(hours, 0..=23)? * 3600 + number(minutes, 0..=59)? * 60))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from March, so that the leap day is
/// the last of a year, and in eras of 400 years, which all have 146,097 days.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_common_log_format_count_from_the_epoch_and_zones_are_taken_off() {
        assert_eq!(parse("01/Jan/1970:00:00:00 +0000"), Some(0));
        assert_eq!(parse("10/Oct/2000:13:55:36 -0700"), Some(971_211_336));
        assert_eq!(parse("29/Feb/2024:23:59:59 +0530"), Some(1_709_231_399));
        assert_eq!(parse("01/Aug/1995:00:00:01 -0400"), Some(807_249_601));
    }

    #[test]
    fn iso_times_are_read_in_the_ways_in_which_servers_write_them() {
        for time in [
            "2000-10-10T13:55:36-07:00",
            "2000-10-10T13:55:36.999-0700",
            "2000-10-10t20:55:36Z",
            "2000-10-10 20:55:36",
            "2000-10-10 20:55:36,250 +00",
            "2000/10/10 20:55:36",
            "2000-10-10T20:55:36.123456789 UTC",
        ] {
            assert_eq!(parse(time), Some(971_211_336), "{time}");
        }
        assert_eq!(parse("1969-12-31T23:59Z"), Some(-60));
    }

    #[test]
    fn the_size_of_a_number_tells_its_unit() {
        for time in
            ["971211336", "971211336.5", "971211336500", "971211336500.25", "971211336500000", "971211336500000001"]
        {
            assert_eq!(parse(time), Some(971_211_336), "{time}");
        }
        assert_eq!((parse("0"), parse("-5")), (Some(0), Some(-5)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in [
            "",
            "10/Oct/2000",
            "10/Oct/2000:13 -0700",
            "10/Okt/2000:13:55:36 -0700",
            "1/Jan/1970:0:0:0 Zé",
            "31/Feb/2000:13:55:36 -0700",
            "2000-10-10",
            "2000-13-10T00:00:00Z",
            "2001-02-29T00:00:00Z",
            "2000-10-10T24:00:00Z",
            "2000-10-10T20:55:36.Z",
            "2000-10-10T20:55:36 CEST",
            "+2000-10-10T20:55:36Z",
            "99999999999999999999",
            "12.",
            "12.5.5",
            "1e9",
            "Oct 10 20:55:36",
        ] {
            assert_eq!(parse(time), None, "{time}");
        }
    }
}
