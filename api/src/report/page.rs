//! Pages of A4 that fill from top to bottom: headings, paragraphs, tables, bars. What does not fit goes to the next page.
//!
//! Everything is first put down as marks with their places; the pages are drawn at the end, when their number is known.

use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
    text::{Font, TextDirection},
};

use super::{Frame, ReportError};

/// Noto Sans, subset to Latin, Cyrillic with the Kazakh letters, and signs; SIL Open Font License 1.1 (see NOTICE).
const REGULAR: &[u8] = include_bytes!("../../assets/NotoSans-Regular.subset.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/NotoSans-Bold.subset.ttf");

/// A4 in points.
const PAGE: (f32, f32) = (595.0, 842.0);
/// Left edge of what is written.
pub(super) const LEFT: f32 = 50.0;
/// Right edge.
pub(super) const RIGHT: f32 = 545.0;
const TOP: f32 = 60.0;
const BOTTOM: f32 = 780.0;
/// Mean width of a letter as a share of the font's size, for texts that are wrapped. Noto Sans in Cyrillic, measured.
const LETTER: f32 = 0.56;

/// Colours.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ink {
    Text,
    Grey,
    Rule,
    Bar,
    Late,
    Pale,
}

impl Ink {
    fn rgb(self) -> rgb::Color {
        let (r, g, b) = match self {
            Ink::Text => (17, 24, 32),
            Ink::Grey => (95, 105, 116),
            Ink::Rule => (190, 198, 206),
            Ink::Bar => (31, 95, 139),
            Ink::Late => (178, 72, 24),
            Ink::Pale => (226, 233, 239),
        };
        rgb::Color::new(r, g, b)
    }
}

enum Mark {
    Text { x: f32, y: f32, size: f32, bold: bool, ink: Ink, text: String },
    Box { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    Line { x: f32, y: f32, to: f32, ink: Ink },
}

/// A paper in the making.
pub(super) struct Paper<'a> {
    frame: &'a Frame,
    title: String,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// One column of a table: where it begins and how many points it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub f32, pub f32);

impl<'a> Paper<'a> {
    /// A paper with its title on the first page.
    pub(super) fn new(frame: &'a Frame, title: &str, under: &str) -> Self {
        let mut paper = Self { frame, title: title.to_owned(), pages: vec![Vec::new()], y: TOP };
        for line in wrap(title, 19.0, RIGHT - LEFT) {
            paper.put(LEFT, 19.0, true, Ink::Text, &line);
            paper.y += 24.0;
        }
        paper.put(LEFT, 11.0, false, Ink::Grey, under);
        paper.y += 14.0;
        if frame.demo {
            let words = frame.say(["Демонстрациялық деректер", "Демонстрационные данные", "Demonstration data"]);
            paper.put(LEFT, 10.0, true, Ink::Late, words);
            paper.y += 14.0;
        }
        paper.rule();
        paper.y += 8.0;
        paper
    }

    /// Room for so many points; else the next page.
    pub(super) fn need(&mut self, points: f32) {
        if self.y + points > BOTTOM {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    pub(super) fn space(&mut self, points: f32) {
        self.y += points;
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.need(60.0);
        self.y += 18.0;
        self.put(LEFT, 13.0, true, Ink::Text, text);
        self.y += 8.0;
    }

    pub(super) fn paragraph(&mut self, text: &str, ink: Ink) {
        for line in wrap(text, 10.0, RIGHT - LEFT) {
            self.need(14.0);
            self.y += 13.0;
            self.put(LEFT, 10.0, false, ink, &line);
        }
        self.y += 3.0;
    }

    /// A row of a table; its height is that of its longest cell.
    pub(super) fn row(&mut self, columns: &[Column], cells: &[&str], bold: bool, ink: Ink) {
        let wrapped: Vec<Vec<String>> = columns.iter().zip(cells).map(|(column, cell)| wrap(cell, 9.0, column.1 - 4.0)).collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(1).clamp(1, 12);
        let height = lines as f32 * 11.5 + 5.0;
        self.need(height);
        for (column, text) in columns.iter().zip(wrapped) {
            for (n, line) in text.iter().take(12).enumerate() {
                let y = self.y + 11.5 * (n as f32 + 1.0);
                self.mark(Mark::Text { x: column.0, y, size: 9.0, bold, ink, text: line.clone() });
            }
        }
        self.y += height;
        let y = self.y;
        self.mark(Mark::Line { x: LEFT, y, to: RIGHT, ink: Ink::Rule });
    }

    /// Bars of a chart: a name, a share of the longest (0 to 1), a value. A bar without a share is told by its value alone.
    pub(super) fn bars(&mut self, bars: &[(String, Option<f32>, String)]) {
        const FROM: f32 = LEFT + 200.0;
        const LONG: f32 = 210.0;
        for (name, share, value) in bars {
            self.need(17.0);
            self.y += 15.0;
            let y = self.y;
            let name = wrap(name, 9.0, FROM - LEFT - 6.0).into_iter().next().unwrap_or_default();
            self.put(LEFT, 9.0, false, Ink::Text, &name);
            self.mark(Mark::Box { x: FROM, y: y - 8.5, width: LONG, height: 10.0, ink: Ink::Pale });
            if let Some(share) = share.filter(|share| *share > 0.0) {
                self.mark(Mark::Box { x: FROM, y: y - 8.5, width: (LONG * share.min(1.0)).max(0.8), height: 10.0, ink: Ink::Bar });
            }
            self.put(FROM + LONG + 8.0, 9.0, false, Ink::Text, value);
        }
        self.y += 6.0;
    }

    /// Columns of a chart from left to right: a name below, a share of the highest, a value above.
    pub(super) fn columns(&mut self, columns: &[(String, Option<f32>, String)]) {
        const HIGH: f32 = 90.0;
        self.need(HIGH + 40.0);
        let step = (RIGHT - LEFT) / columns.len().max(1) as f32;
        let base = self.y + HIGH + 18.0;
        for (n, (name, share, value)) in columns.iter().enumerate() {
            let x = LEFT + step * n as f32;
            let height = share.map_or(0.0, |share| (HIGH * share.clamp(0.0, 1.0)).max(0.8));
            if share.is_some() {
                self.mark(Mark::Box { x: x + 3.0, y: base - height, width: step - 6.0, height, ink: Ink::Bar });
            }
            self.mark(Mark::Text { x: x + 3.0, y: base - height - 3.0, size: 7.5, bold: false, ink: Ink::Text, text: value.clone() });
            self.mark(Mark::Text { x: x + 3.0, y: base + 10.0, size: 7.5, bold: false, ink: Ink::Grey, text: name.clone() });
        }
        self.mark(Mark::Line { x: LEFT, y: base, to: RIGHT, ink: Ink::Rule });
        self.y = base + 18.0;
    }

    /// A band from low to high on a scale of 0 to 10 with its value.
    pub(super) fn band(&mut self, name: &str, [low, value, high]: [f32; 3], text: &str) {
        const FROM: f32 = LEFT + 200.0;
        const LONG: f32 = 210.0;
        self.need(17.0);
        self.y += 15.0;
        let y = self.y;
        let name = wrap(name, 9.0, FROM - LEFT - 6.0).into_iter().next().unwrap_or_default();
        self.put(LEFT, 9.0, false, Ink::Text, &name);
        let at = |score: f32| FROM + LONG * score.clamp(0.0, 10.0) / 10.0;
        self.mark(Mark::Line { x: FROM, y: y - 3.5, to: FROM + LONG, ink: Ink::Rule });
        self.mark(Mark::Box { x: at(low), y: y - 7.5, width: (at(high) - at(low)).max(1.0), height: 8.0, ink: Ink::Pale });
        self.mark(Mark::Box { x: at(value) - 1.5, y: y - 9.5, width: 3.0, height: 12.0, ink: Ink::Bar });
        self.put(FROM + LONG + 8.0, 9.0, false, Ink::Text, text);
    }

    fn rule(&mut self) {
        let y = self.y;
        self.mark(Mark::Line { x: LEFT, y, to: RIGHT, ink: Ink::Rule });
    }

    fn put(&mut self, x: f32, size: f32, bold: bool, ink: Ink, text: &str) {
        let y = self.y;
        self.mark(Mark::Text { x, y, size, bold, ink, text: text.to_owned() });
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// The PDF.
    pub(super) fn write(self) -> Result<Vec<u8>, ReportError> {
        let font = |bytes: &'static [u8]| Font::new(bytes.into(), 0).ok_or(ReportError::Font);
        let (regular, bold) = (font(REGULAR)?, font(BOLD)?);
        let mut document = Document::new();
        document.set_metadata(Metadata::new().title(self.title.clone()).language(self.frame.language.clone()));
        let made = self.frame.say(["Жасалған уақыты", "Составлено", "Made at"]);
        let foot = format!("{} · {made}: {} · Qorgan {}", self.frame.hub, self.frame.when(self.frame.now), env!("CARGO_PKG_VERSION"));
        let count = self.pages.len();
        for (n, marks) in self.pages.iter().enumerate() {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| ReportError::Pdf("page size".into()))?;
            let mut page = document.start_page_with(settings);
            {
                let mut surface = page.surface();
                for mark in marks {
                    draw(&mut surface, mark, (&regular, &bold));
                }
                let number = format!("{} / {count}", n + 1);
                for (x, text) in [(LEFT, &foot), (RIGHT - 30.0, &number)] {
                    let mark = Mark::Text { x, y: 812.0, size: 7.5, bold: false, ink: Ink::Grey, text: text.clone() };
                    draw(&mut surface, &mark, (&regular, &bold));
                }
            }
            page.finish();
        }
        document.finish().map_err(|error| ReportError::Pdf(format!("{error:?}")))
    }
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, (regular, bold): (&Font, &Font)) {
    let fill = |ink: Ink| Some(Fill { paint: ink.rgb().into(), ..Fill::default() });
    match mark {
        Mark::Text { x, y, size, bold: is_bold, ink, text } => {
            surface.set_stroke(None);
            surface.set_fill(fill(*ink));
            // What is no sign to be shown breaks no line here.
            let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let font = if *is_bold { bold.clone() } else { regular.clone() };
            surface.draw_text(Point::from_xy(*x, *y), font, *size, &clean, false, TextDirection::LeftToRight);
        }
        Mark::Box { x, y, width, height, ink } => {
            let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let Some(path) = path.finish() else { return };
            surface.set_stroke(None);
            surface.set_fill(fill(*ink));
            surface.draw_path(&path);
        }
        Mark::Line { x, y, to, ink } => {
            let mut path = PathBuilder::new();
            path.move_to(*x, *y);
            path.line_to(*to, *y);
            let Some(path) = path.finish() else { return };
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { paint: ink.rgb().into(), width: 0.6, ..Stroke::default() }));
            surface.draw_path(&path);
        }
    }
}

/// Lines that fit so many points, broken at blanks where there are some.
fn wrap(text: &str, size: f32, width: f32) -> Vec<String> {
    // At least a few letters, whatever the column.
    let most = ((width / (size * LETTER)) as usize).max(4);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let (mut line, mut long) = (String::new(), 0);
        for word in paragraph.split_whitespace() {
            for piece in word.chars().collect::<Vec<_>>().chunks(most) {
                if long > 0 && long + 1 + piece.len() > most {
                    lines.push(std::mem::take(&mut line));
                    long = 0;
                }
                if long > 0 {
                    line.push(' ');
                    long += 1;
                }
                line.extend(piece);
                long += piece.len();
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("аб вг деж", 10.0, 28.0), ["аб вг", "деж"]);
        assert_eq!(wrap("абвгдежзик", 10.0, 28.0), ["абвгд", "ежзик"]);
        assert_eq!(wrap("", 10.0, 28.0), [""]);
        assert_eq!(wrap("а\nб", 10.0, 28.0), ["а", "б"]);
    }
}
