//! Draws what a call costs with each peer, as a picture for the documentation.

use std::path::Path;

use plotters::prelude::*;

use crate::figure::{Figure, OURS};

/// The size of the picture, in pixels.
const SIZE: (u32, u32) = (760, 300);

/// What stands left of the bars: the names of the peers.
const NAMES: u32 = 110;

/// The figure that is drawn.
const DRAWN: (&str, &str) = ("a call", "instructions");

/// Draws one bar for each peer.
///
/// # Errors
///
/// The file can't be written, or there is nothing to draw.
pub fn draw(figures: &[Figure], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let drawn = |figure: &&Figure| (figure.name.as_str(), figure.unit.as_str()) == DRAWN;
    let figure = figures
        .iter()
        .find(drawn)
        .ok_or("instructions were not counted")?;
    let mut bars: Vec<(&String, f64)> = figure
        .numbers
        .iter()
        .map(|(peer, it)| (peer, *it))
        .collect();
    bars.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let most = bars.iter().map(|(_, number)| *number).fold(0.0, f64::max);

    let picture = SVGBackend::new(file, SIZE).into_drawing_area();
    picture.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&picture)
        .caption("instructions for one authenticated GET", ("sans-serif", 18))
        .margin(12)
        .set_label_area_size(LabelAreaPosition::Left, NAMES)
        .set_label_area_size(LabelAreaPosition::Bottom, 32)
        .build_cartesian_2d(0.0..most * 1.12, (0..bars.len()).into_segmented())?;
    let name = |position: &SegmentValue<usize>| match position {
        SegmentValue::CenterOf(index) => bars.get(*index).map(|(peer, _)| (*peer).clone()),
        _ => None,
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|position| name(position).unwrap_or_default())
        .x_label_formatter(&|number| format!("{:.0} k", number / 1e3))
        .draw()?;
    chart.draw_series(bars.iter().enumerate().map(|(index, (peer, number))| {
        let colour = if *peer == OURS {
            RGBColor(34, 119, 170)
        } else {
            RGBColor(176, 184, 192)
        };
        let mut bar = Rectangle::new(
            [
                (0.0, SegmentValue::Exact(index)),
                (*number, SegmentValue::Exact(index + 1)),
            ],
            colour.filled(),
        );
        bar.set_margin(4, 4, 0, 0);
        bar
    }))?;
    chart.draw_series(bars.iter().enumerate().map(|(index, (_, number))| {
        let at = (*number, SegmentValue::CenterOf(index));
        let label = format!(" {:.1} k", number / 1e3);
        EmptyElement::at(at) + Text::new(label, (2, -7), ("sans-serif", 14))
    }))?;
    picture.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Goal;
    use crate::work::Peer;

    #[test]
    fn each_peer_has_a_bar_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plot.svg");
        let numbers = [(Peer::Ours, 66_000.0), (Peer::ByHand, 71_000.0)];
        let figure = Figure::compared(DRAWN.0, DRAWN.1, numbers, Goal::AtMost(1.0));
        draw(&[figure], &file).unwrap();
        let picture = std::fs::read_to_string(file).unwrap();
        for shown in ["ours", "by-hand", "66.0 k", "71.0 k"] {
            assert!(picture.contains(shown), "{shown}");
        }
    }

    #[test]
    fn without_counts_there_is_nothing_to_draw() {
        assert!(draw(&[], Path::new("unused.svg")).is_err());
    }
}
