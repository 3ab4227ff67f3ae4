//! The Common Log Format, `host ident user [time] "request" status bytes`, and the Combined Log Format, which appends
//! `"referer" "agent"`.

use super::{Client, Line, parse_status};

pub(super) fn parse(line: &str) -> Option<Line<'_>> {
    let (host, rest) = line.split_once(' ')?;
    // The user's name may contain spaces, so the time is what the first bracket encloses.
    let (_, rest) = rest.split_once('[')?;
    let (time, rest) = rest.split_once("] \"")?;
    let (request, status) = split_request(rest)?;
    let mut words = request.split(' ');
    Some(Line {
        at: parse_time(time)?,
        client: Client::Host(host),
        verb: words.next().unwrap_or("-"),
        label: words.next().unwrap_or("-"),
        status,
    })
}

/// Splits at the quote that ends the request: some servers write quotes of the request itself as they are, so it is
/// the first one before a status.
fn split_request(rest: &str) -> Option<(&str, Option<u16>)> {
    rest.match_indices("\" ").find_map(|(end, quote)| {
        let after = rest.get(end + quote.len()..)?;
        let status = parse_status(after.split(' ').next()?)?;
        Some((rest.get(..end)?, status))
    })
}

/// Unix seconds of a time like `10/Oct/2000:13:55:36 -0700`.
fn parse_time(time: &str) -> Option<i64> {
    let (time, zone) = time.split_once(' ')?;
    let (date, clock) = time.split_once(':')?;
    let [day, month, year] = split(date, '/')?;
    let [hour, minute, second] = split(clock, ':')?;
    let seconds = number(hour, 0..=23)? * 3600 + number(minute, 0..=59)? * 60 + number(second, 0..=60)?;
    let days = days_since_epoch(number(year, 1..=9999)?, month_of(month)?, number(day, 1..=31)?);
    Some(days * 86_400 + seconds - offset_of(zone)?)
}

fn split(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn number(digits: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    digits.parse().ok().filter(|number| range.contains(number))
}

fn month_of(name: &str) -> Option<i64> {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    (1..).zip(NAMES).find_map(|(month, known)| known.eq_ignore_ascii_case(name).then_some(month))
}

/// Seconds that a zone like `-0700` is ahead of UTC.
fn offset_of(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?;
    let (hours, minutes) = digits.split_at_checked(2)?;
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
    fn times_count_from_the_epoch_and_zones_are_taken_off() {
        assert_eq!(parse_time("01/Jan/1970:00:00:00 +0000"), Some(0));
        assert_eq!(parse_time("10/Oct/2000:13:55:36 -0700"), Some(971_211_336));
        assert_eq!(parse_time("29/Feb/2024:23:59:59 +0530"), Some(1_709_231_399));
        assert_eq!(parse_time("01/Aug/1995:00:00:01 -0400"), Some(807_249_601));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in ["", "10/Oct/2000", "10/Oct/2000:13:55 -0700", "10/Okt/2000:13:55:36 -0700", "1/Jan/1970:0:0:0 Zé"]
        {
            assert_eq!(parse_time(time), None, "{time}");
        }
    }
}
