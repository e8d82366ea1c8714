//! Charts as SVG: points in the unit square, drawn into a frame with axes.

use maud::{Markup, html};

/// Width and height of a chart in its own units, and the margin of the frame within it.
const SIZE: (f64, f64) = (420.0, 320.0);
const MARGIN: f64 = 42.0;

/// What a chart shows; all values between 0 and 1.
#[derive(Debug, Default)]
pub struct Chart<'a> {
    /// What it is, for who cannot see it.
    pub title: &'a str,
    /// Name of the horizontal axis.
    pub x: &'a str,
    /// Name of the vertical axis.
    pub y: &'a str,
    /// Where the vertical axis ends.
    pub top: f64,
    /// A line of points.
    pub curve: Vec<(f64, f64)>,
    /// Marks its points.
    pub dots: bool,
    /// Bars under the curve: left and right edge, height.
    pub bars: Vec<(f64, f64, f64)>,
    /// The line where x is y.
    pub diagonal: bool,
}

impl Chart<'_> {
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let width = SIZE.0 - MARGIN - 12.0;
        let height = SIZE.1 - MARGIN - 12.0;
        (MARGIN + x * width, 12.0 + height * (1.0 - (y / self.top).clamp(0.0, 1.0)))
    }

    fn line(&self, class: &str, points: &[(f64, f64)]) -> Markup {
        let points: Vec<String> = points
            .iter()
            .map(|point| {
                let (x, y) = self.at(*point);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        html! { polyline class=(class) points=(points.join(" ")) {} }
    }

    /// The drawing.
    pub fn draw(&self) -> Markup {
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
        html! {
            svg viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) role="img" aria-label=(self.title) {
                @for tick in ticks {
                    @let (x, y) = self.at((tick, tick * self.top));
                    (self.line("grid", &[(0.0, tick * self.top), (1.0, tick * self.top)]))
                    text x=(format!("{x:.1}")) y=(SIZE.1 - MARGIN + 16.0) text-anchor="middle" { (format!("{tick}")) }
                    text x=(MARGIN - 6.0) y=(format!("{:.1}", y + 4.0)) text-anchor="end" { (format!("{:.2}", tick * self.top)) }
                }
                @for (left, right, height) in &self.bars {
                    @let (x, y) = self.at((*left, *height));
                    @let (end, ground) = self.at((*right, 0.0));
                    rect class="bar" x=(format!("{x:.1}")) y=(format!("{y:.1}"))
                        width=(format!("{:.1}", (end - x - 1.0).max(0.0))) height=(format!("{:.1}", ground - y)) {}
                }
                @if self.diagonal { (self.line("ideal", &[(0.0, 0.0), (self.top.min(1.0), self.top.min(1.0))])) }
                (self.line("axis", &[(0.0, self.top), (0.0, 0.0), (1.0, 0.0)]))
                (self.line("curve", &self.curve))
                @if self.dots {
                    @for point in &self.curve {
                        @let (x, y) = self.at(*point);
                        circle class="dot" cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3.5" {}
                    }
                }
                text x=(SIZE.0 / 2.0) y=(SIZE.1 - 6.0) text-anchor="middle" { (self.x) }
                text transform=(format!("translate(11 {}) rotate(-90)", SIZE.1 / 2.0)) text-anchor="middle" { (self.y) }
            }
        }
    }
}
