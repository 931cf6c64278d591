//! Files that people and programs really make, and some that attack.

use std::io::{Cursor, Write};

use super::*;

fn texts(sheet: &Sheet) -> Vec<Vec<String>> {
    sheet.rows.iter().map(|row| row.cells.iter().map(|cell| cell.1.shown()).collect()).collect()
}

fn csv(bytes: &[u8]) -> Vec<Vec<String>> {
    texts(&read(bytes).unwrap()[0])
}

#[test]
fn csv_is_read_with_either_separator_with_or_without_bom_and_rows_are_counted_as_lines() {
    for file in ["a;b\n\n1,5;\"x;y\"\n", "\u{feff}a,b\r\n\r\n\"1,5\",x;y\r\n", "a\tb\n\n1,5\tx;y"] {
        let sheets = read(file.as_bytes()).unwrap();
        assert_eq!(texts(&sheets[0]), [["a", "b"], ["1,5", "x;y"]], "{file:?}");
        assert_eq!(sheets[0].rows[1].number, 3, "{file:?}");
    }
    let sheets = read(b"a;\"b\nc\"\nd;e\n\n\nf;g\n").unwrap();
    let rows: Vec<u32> = sheets[0].rows.iter().map(|row| row.number).collect();
    assert_eq!(rows, [1, 3, 6], "a cell of two lines");
}

#[test]
fn a_title_above_the_table_does_not_hide_its_separator() {
    for (file, rows) in [
        (
            "Кезең: 2026-09\nАудан;Мәні;Халық\nТараз;12,5;1,5\n",
            [vec!["Кезең: 2026-09"], vec!["Аудан", "Мәні", "Халық"], vec!["Тараз", "12,5", "1,5"]],
        ),
        (
            "Отчёт, октябрь, район\na\tb\tc\n1,5\t2,5\t3,5\n",
            [vec!["Отчёт, октябрь, район"], vec!["a", "b", "c"], vec!["1,5", "2,5", "3,5"]],
        ),
    ] {
        assert_eq!(csv(file.as_bytes()), rows, "{file:?}");
    }
}

#[test]
fn utf16_and_the_windows_code_page_are_read_and_kazakh_letters_are_kept() {
    let wanted = [["Аудан", "Мәні"], ["Тараз қаласы", "12,5"]];
    let text = "Аудан;Мәні\r\nТараз қаласы;12,5\r\n";
    let little: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    assert_eq!(csv(&little), wanted);
    assert_eq!(csv(&big), wanted);
    // KZ-1048: what Windows writes on a Kazakh machine.
    let kz = b"\xC0\xF3\xE4\xE0\xED;\xCC\xBC\xED\xB3\r\n\xD2\xE0\xF0\xE0\xE7 \x9D\xE0\xEB\xE0\xF1\xFB;12,5\r\n";
    assert_eq!(csv(kz), wanted);
    let russian = encoding_rs::WINDOWS_1251.encode("Район;Показатель;Значение\r\nгород Тараз;Жалобы на жильё;12,5\r\n").0.into_owned();
    assert_eq!(csv(&russian)[1], ["город Тараз", "Жалобы на жильё", "12,5"]);
}

#[test]
fn another_encoding_is_refused_with_its_likely_name_and_the_way_out() {
    let koi = [0xF2, 0xC1, 0xCA, 0xCF, 0xCE, b';', 0xFA, 0xCE, 0xC1, 0xDE, 0xC5, 0xCE, 0xC9, 0xC5, b'\n'];
    let noise: Vec<u8> = (0..400_u32).map(|n| 0x80 | (n.wrapping_mul(2_654_435_761) >> 25) as u8).collect();
    let broken_utf16 = [0xFF, 0xFE, 0x00, 0xD8, b'a', 0, b';', 0];
    let latin = encoding_rs::WINDOWS_1252.encode("Größe;Café Münster;Übersicht\n1;2;3\n").0.into_owned();
    for bytes in [&koi[..], &noise, &broken_utf16, &latin] {
        let error = read(bytes).unwrap_err();
        assert!(error.code() == "encoding" && error.to_string().contains("CSV UTF-8"), "{error}");
    }
    assert_eq!(read(b"a;b\0;c").unwrap_err().code(), "encoding");
    assert!(read_with(&[0xD0, b';', b'1'], Some(Encoding::Windows1251), &|_| {}).is_ok(), "somebody who states it is believed");
}

#[test]
fn what_is_no_table_is_refused_by_name() {
    assert_eq!(read(b"").unwrap_err().code(), "empty");
    assert_eq!(read(b"\n\n ; ;\n").unwrap_err().code(), "empty");
    assert_eq!(read(b"PK\x03\x04 not a zip").unwrap_err().code(), "not_a_table");
    assert_eq!(read(&vec![b'a'; MAX_BYTES + 1]).unwrap_err().code(), "too_large");
    let mut old = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    old.extend("Workbook".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(&old).unwrap_err().code(), "old_workbook");
    old.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(&old).unwrap_err().code(), "password");
    let rows = "1;2\n".repeat(MAX_ROWS + 1);
    assert_eq!(read(rows.as_bytes()).unwrap_err().code(), "too_many_rows");
    let mut empty = rust_xlsxwriter::Workbook::new();
    empty.add_worksheet();
    assert_eq!(read(&empty.save_to_buffer().unwrap()).unwrap_err().code(), "empty");
}

#[test]
fn a_workbook_with_dates_numbers_and_a_cell_in_the_last_corner() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Мектептер").unwrap();
    sheet.write(0, 0, "area").unwrap();
    sheet.write(2, 0, 311_000_000).unwrap();
    let date = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 12, 31).unwrap();
    let format = rust_xlsxwriter::Format::new().set_num_format("dd.mm.yyyy");
    sheet.write_with_format(2, 1, &date, &format).unwrap();
    sheet.write(1_048_575, 16_383, "far").unwrap();
    let sheets = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(sheets[0].name.as_deref(), Some("Мектептер"));
    let row = &sheets[0].rows[1];
    assert_eq!((row.number, &row.cells[0].1), (3, &Cell::Number(311_000_000.0)));
    assert_eq!(row.cells[1].1, Cell::Date(jiff::civil::date(2026, 12, 31)));
    assert_eq!(sheets[0].rows.len(), 2, "the far column is not looked at");
}

#[test]
fn of_a_formula_the_last_value_is_taken_and_merged_cells_are_known() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.merge_range(0, 0, 0, 2, "title", &rust_xlsxwriter::Format::new()).unwrap();
    sheet.write_formula(1, 0, rust_xlsxwriter::Formula::new("=SUM(B1:B3)").set_result("42")).unwrap();
    sheet.write_formula(2, 0, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let sheets = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(sheets[0].merged, [((1, 0), (1, 2))]);
    assert_eq!(sheets[0].formulas, [(2, 0), (3, 0)].into());
    assert_eq!(sheets[0].rows[1].cells[0].1, Cell::Number(42.0));
}

#[test]
fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
    let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    bomb.start_file("xl/sharedStrings.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..=(MAX_UNPACKED >> 20) {
        bomb.write_all(&zeros).unwrap();
    }
    let bytes = bomb.finish().unwrap().into_inner();
    assert!(bytes.len() < MAX_BYTES);
    assert_eq!(read(&bytes).unwrap_err().code(), "unpacks_too_large");
}
