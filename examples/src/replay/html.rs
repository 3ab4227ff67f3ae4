//! Shows a report as one page of HTML, which needs nothing else: no script, no font, no picture from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart;
use super::report::{COLUMNS, Figures, LEGEND, Report, Source, grouped};
use super::rule::RULE;
use crate::bars::{Group, printable};

/// What a browser may take from elsewhere for the page: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The report as a page.
#[must_use]
pub fn page(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Replay of " (from_outside(&chart::subtitle(report))) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                h1 { "What a replay saved" }
                p.soft { (from_outside(&chart::subtitle(report))) "; " (grouped(report.concurrency as u64)) " clients at a time, the requests of each in their order" }
                (verdict(report))
                section aria-label="Charts" {
                    div.charts { @for (id, group) in charts(report).iter().enumerate() { (figure(group, id)) } }
                }
                (table(report))
                (traffic(report))
            }
        }
    };
    page.into_string()
}

fn charts(report: &Report) -> Vec<Group> {
    let mut charts = chart::policies(report);
    charts.extend(chart::engine(report));
    charts.push(chart::requests(report));
    charts
}

fn figure(group: &Group, id: usize) -> Markup {
    html! { figure { figcaption { (group.title) } (group.picture(id)) } }
}

/// What comes from a log, or was typed: text, and no more.
fn from_outside(text: &str) -> Markup {
    html! { bdi { (printable(text)) } }
}

fn verdict(report: &Report) -> Markup {
    html! {
        section.verdict.wrong[!report.is_verified()] aria-label="Verdict" {
            p { (report.exactness()) }
            p { (report.verification()) }
            @if !report.differences.is_empty() {
                ul { @for difference in &report.differences { li { (from_outside(&difference.to_string())) } } }
            }
        }
    }
}

fn table(report: &Report) -> Markup {
    let seen = report.seen();
    let of_engine = |figures: &Figures| figures.engine.figures().into_iter().map(|(_, figure)| grouped(figure));
    html! {
        section {
            h2 { "Figures" }
            div.wide tabindex="0" role="region" aria-label="Figures of each policy" {
                table {
                    thead { tr {
                        th scope="col" { "policy" }
                        @for (name, _) in COLUMNS { th scope="col" { (name) } }
                        @for (name, _) in seen.figures() { th scope="col" { (name) } }
                    } }
                    tbody {
                        @for figures in &report.figures {
                            tr {
                                th scope="row" { (figures.policy.name()) }
                                @for (_, figure) in COLUMNS { td { (figure(figures)) } }
                                @if !seen.figures().is_empty() { @for figure in of_engine(figures) { td { (figure) } } }
                            }
                        }
                    }
                }
            }
            p.soft { (LEGEND) }
            @if let Some(legend) = seen.legend() {
                p.soft { @if seen.is_unknown() { "What the engine saw is not known: " } (legend) }
            }
        }
    }
}

fn traffic(report: &Report) -> Markup {
    html! {
        section {
            h2 { "Traffic" }
            @match &report.source {
                Source::Logs(_) => p { (report.requests_told()) },
                Source::Generated(distribution) => {
                    p { "Generated, seed " (distribution.seed) ": " (report.requests_told()) }
                    div.wide tabindex="0" role="region" aria-label="Distribution" { pre { (super::generate::DISTRIBUTION) } }
                }
            }
            p { (report.effects_told()) }
            @if report.bad_lines > 0 {
                p { (report.bad_lines_told()) }
                ul { @for line in &report.first_bad_lines { li { (from_outside(&line.to_string())) } } }
            }
            h2 { "Rule" }
            div.wide tabindex="0" role="region" aria-label="Rule" { pre { (RULE) } }
        }
    }
}
