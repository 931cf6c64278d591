//! The last seconds of a camera on disk, and what of them is kept as a clip.
//!
//! One file holds one group of pictures, from a key unit to the next, so that each file plays by itself; it is written at once
//! under another name and then renamed, so that a half-written one is never read. Bounded in time and in bytes, and never at the
//! cost of others: below a reserve of free space nothing is written.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use qorgan_domain::UtcMs;

use super::Unit;
use crate::camera::Codec;

/// Largest file that is read back, in bytes: a group of pictures that was let in is smaller.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Bytes in front of each unit: flags, codec, width, height, wall time, stream time, length.
const HEAD: usize = 1 + 1 + 4 + 4 + 8 + 8 + 4;
const ENDING: &str = "gop";

/// What a ring may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingLimits {
    /// Older groups are deleted.
    pub keep: Duration,
    /// Most bytes of one camera.
    pub bytes: u64,
    /// Free space of the file system, in bytes, below which nothing is written.
    pub reserve: u64,
}

/// A unit with the wall time at which it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The unit.
    pub unit: Unit,
    /// When the hub received it.
    pub at: UtcMs,
}

/// Why a group of pictures was not written.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// It holds nothing, or does not begin with a key unit.
    #[error("a group of pictures begins with a key unit")]
    NoKey,
    /// Larger than the whole ring.
    #[error("a group of {0} bytes does not fit into the ring")]
    TooLarge(u64),
    /// The file system is nearly full.
    #[error("only {0} bytes are free on the disk")]
    DiskFull(u64),
    /// It failed.
    #[error("the ring on disk")]
    Io(#[from] io::Error),
}

/// The files of one camera.
#[derive(Debug, Clone)]
pub struct Ring {
    dir: PathBuf,
    limits: RingLimits,
}

impl Ring {
    /// Makes the folder, readable by this user alone.
    pub fn open(dir: impl Into<PathBuf>, limits: RingLimits) -> io::Result<Self> {
        let dir = dir.into();
        private_dir(&dir)?;
        Ok(Self { dir, limits })
    }

    /// Writes a group and deletes what is over the limits. Blocks on the disk.
    pub fn write(&self, group: &[Stamped]) -> Result<(), RingError> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Err(RingError::NoKey) };
        if !first.unit.key {
            return Err(RingError::NoKey);
        }
        let bytes: u64 = group.iter().map(|one| (HEAD + one.unit.data.len()) as u64).sum();
        if bytes > self.limits.bytes.min(MAX_FILE_BYTES) {
            return Err(RingError::TooLarge(bytes));
        }
        self.prune(last.at, bytes)?;
        let free = free_bytes(&self.dir)?;
        if free < self.limits.reserve.saturating_add(bytes) {
            return Err(RingError::DiskFull(free));
        }
        let name = self.dir.join(format!("{:015}-{:015}.{ENDING}", first.at.0.max(0), last.at.0.max(0)));
        let unfinished = name.with_extension("new");
        let done = write_file(&unfinished, group).and_then(|()| fs::rename(&unfinished, &name));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        Ok(done?)
    }

    /// Deletes what is too old, then the oldest until `more` bytes fit.
    pub fn prune(&self, now: UtcMs, more: u64) -> io::Result<()> {
        let oldest = now - self.limits.keep;
        let mut total: u64 = 0;
        let mut files = Vec::new();
        for file in groups(&self.dir)? {
            if file.to < oldest {
                fs::remove_file(&file.path)?;
            } else {
                total += file.bytes;
                files.push(file);
            }
        }
        for file in files {
            if total.saturating_add(more) <= self.limits.bytes {
                break;
            }
            fs::remove_file(&file.path)?;
            total -= file.bytes;
        }
        Ok(())
    }

    /// Keeps what overlaps with these times in another folder of the same file system: links, so it takes no space while the ring
    /// has them too. Gives how many groups the folder holds then.
    pub fn keep(&self, from: UtcMs, to: UtcMs, into: &Path) -> io::Result<usize> {
        private_dir(into)?;
        for file in groups(&self.dir)?.into_iter().filter(|file| file.to >= from && file.from <= to) {
            let Some(name) = file.path.file_name() else { continue };
            match fs::hard_link(&file.path, into.join(name)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // The ring deleted it meanwhile: what is gone is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(groups(into)?.len())
    }
}

/// The units of a clip, one file at a time.
#[derive(Debug)]
pub struct ClipReader {
    files: std::vec::IntoIter<Group>,
    units: std::vec::IntoIter<Stamped>,
}

impl ClipReader {
    /// The groups of a folder, by time.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Ok(Self { files: groups(dir)?.into_iter(), units: Vec::new().into_iter() })
    }

    /// First and last wall time, and bytes; none for an empty folder.
    pub fn extent(dir: &Path) -> io::Result<Option<(UtcMs, UtcMs, u64)>> {
        let files = groups(dir)?;
        let (Some(first), Some(last)) = (files.first(), files.last()) else { return Ok(None) };
        Ok(Some((first.from, last.to, files.iter().map(|file| file.bytes).sum())))
    }

    /// The next unit; a file that does not read is left out.
    pub fn next_unit(&mut self) -> Option<Stamped> {
        loop {
            if let Some(unit) = self.units.next() {
                return Some(unit);
            }
            let file = self.files.next()?;
            if let Ok(units) = read_file(&file.path) {
                self.units = units.into_iter();
            }
        }
    }
}

#[derive(Debug)]
struct Group {
    path: PathBuf,
    from: UtcMs,
    to: UtcMs,
    bytes: u64,
}

/// The finished files of a folder, by time.
fn groups(dir: &Path) -> io::Result<Vec<Group>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let span = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.split_once('-'));
        let times = span.and_then(|(from, to)| Some((UtcMs(from.parse().ok()?), UtcMs(to.parse().ok()?))));
        if let (Some((from, to)), true) = (times, path.extension().is_some_and(|ending| ending == ENDING)) {
            match fs::metadata(&path) {
                Ok(data) => found.push(Group { path, from, to, bytes: data.len() }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn write_file(path: &Path, group: &[Stamped]) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut out = io::BufWriter::new(file);
    for Stamped { unit, at } in group {
        let mut head = Vec::with_capacity(HEAD);
        head.push(u8::from(unit.key));
        head.push(code(unit.codec));
        head.extend_from_slice(&unit.size_px.0.to_le_bytes());
        head.extend_from_slice(&unit.size_px.1.to_le_bytes());
        head.extend_from_slice(&at.0.to_le_bytes());
        head.extend_from_slice(&u64::try_from(unit.media_time.as_micros()).unwrap_or(u64::MAX).to_le_bytes());
        head.extend_from_slice(&u32::try_from(unit.data.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.write_all(&head)?;
        out.write_all(&unit.data)?;
    }
    out.flush()
}

fn read_file(path: &Path) -> io::Result<Vec<Stamped>> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut rest = Bytes::from(fs::read(path)?);
    let mut units = Vec::new();
    while rest.len() >= HEAD {
        let head = rest.split_to(HEAD);
        let four = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).unwrap_or_default();
        let eight = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
        let (Some(codec), length) = (codec_of(head[1]), four(26) as usize) else { return Err(io::ErrorKind::InvalidData.into()) };
        if length > rest.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let unit = Unit {
            codec,
            size_px: (four(2), four(6)),
            key: head[0] == 1,
            media_time: Duration::from_micros(eight(18)),
            data: rest.split_to(length),
        };
        units.push(Stamped { unit, at: UtcMs(eight(10) as i64) });
    }
    Ok(units)
}

fn code(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
        Codec::Mjpeg => 3,
        Codec::Mpeg4 => 4,
        Codec::Msmpeg4 => 5,
    }
}

fn codec_of(code: u8) -> Option<Codec> {
    [Codec::H264, Codec::H265, Codec::Mjpeg, Codec::Mpeg4, Codec::Msmpeg4].into_iter().find(|codec| self::code(*codec) == code)
}

fn private_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Bytes that this user may still write there.
fn free_bytes(dir: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RingLimits = RingLimits { keep: Duration::from_secs(20), bytes: 10_000, reserve: 0 };

    /// A group of two units at this second.
    fn group(second: i64, bytes: usize) -> Vec<Stamped> {
        let one = |key, ms: i64| Stamped {
            unit: Unit {
                codec: Codec::H264,
                size_px: (640, 360),
                data: Bytes::from(vec![7; bytes]),
                key,
                media_time: Duration::from_millis(ms.unsigned_abs()),
            },
            at: UtcMs(second * 1000 + ms),
        };
        vec![one(true, 0), one(false, 900)]
    }

    fn seconds(dir: &Path) -> Vec<i64> {
        groups(dir).expect("a folder").iter().map(|group| group.from.0 / 1000).collect()
    }

    fn ring(limits: RingLimits) -> (tempfile::TempDir, Ring) {
        let dir = tempfile::tempdir().expect("a folder");
        let ring = Ring::open(dir.path().join("yard"), limits).expect("a ring");
        (dir, ring)
    }

    #[test]
    fn what_was_written_is_read_back_in_order() {
        let (_dir, ring) = ring(LIMITS);
        for second in [3, 1, 2] {
            ring.write(&group(second, 50)).expect("written");
        }
        let mut reader = ClipReader::open(&ring.dir).expect("a folder");
        let read: Vec<Stamped> = std::iter::from_fn(|| reader.next_unit()).collect();
        assert_eq!(read, [group(1, 50), group(2, 50), group(3, 50)].concat());
    }

    #[test]
    fn the_ring_is_bounded_in_seconds_and_in_bytes() {
        let (_dir, ring) = ring(LIMITS);
        for second in 0..40 {
            ring.write(&group(second, 100)).expect("written");
        }
        assert_eq!(seconds(&ring.dir).first(), Some(&19), "older than 20 s is gone");
        ring.write(&group(41, 3_000)).expect("written");
        let total: u64 = groups(&ring.dir).expect("a folder").iter().map(|group| group.bytes).sum();
        assert!(total <= LIMITS.bytes, "{total}");
        assert_eq!(seconds(&ring.dir).last(), Some(&41), "the newest stays");
        assert!(matches!(ring.write(&group(42, 6_000)), Err(RingError::TooLarge(_))));
    }

    #[test]
    fn a_full_disk_is_left_alone() {
        let (_dir, ring) = ring(RingLimits { reserve: u64::MAX, ..LIMITS });
        assert!(matches!(ring.write(&group(1, 50)), Err(RingError::DiskFull(_))));
        assert_eq!(fs::read_dir(&ring.dir).expect("a folder").count(), 0, "nothing half-written stays");
    }

    #[test]
    fn a_clip_outlives_the_ring() {
        let (dir, ring) = ring(LIMITS);
        for second in 0..10 {
            ring.write(&group(second, 50)).expect("written");
        }
        let clip = dir.path().join("clip");
        assert_eq!(ring.keep(UtcMs(3_500), UtcMs(6_000), &clip).expect("kept"), 4);
        assert_eq!(ring.keep(UtcMs(6_000), UtcMs(7_000), &clip).expect("kept"), 5, "more of it later");
        ring.prune(UtcMs(1_000_000), 0).expect("pruned");
        assert_eq!((seconds(&ring.dir), seconds(&clip)), (vec![], vec![3, 4, 5, 6, 7]));
        assert_eq!(ClipReader::extent(&clip).expect("a folder").map(|(from, to, _)| (from.0, to.0)), Some((3_000, 7_900)));
    }

    #[test]
    fn broken_files_are_left_out() {
        let (_dir, ring) = ring(LIMITS);
        ring.write(&group(1, 50)).expect("written");
        fs::write(ring.dir.join("000000000002000-000000000002900.gop"), [1, 9, 0, 0]).expect("written");
        fs::write(ring.dir.join("000000000003000-000000000003900.gop"), [1; 40]).expect("written");
        fs::write(ring.dir.join("noise.gop"), [1; 40]).expect("written");
        ring.write(&group(4, 50)).expect("written");
        let mut reader = ClipReader::open(&ring.dir).expect("a folder");
        assert_eq!(std::iter::from_fn(|| reader.next_unit()).count(), 4);
    }

    #[test]
    fn a_group_begins_with_a_key_unit() {
        let (_dir, ring) = ring(LIMITS);
        assert!(matches!(ring.write(&[]), Err(RingError::NoKey)));
        assert!(matches!(ring.write(&group(1, 50)[1..]), Err(RingError::NoKey)));
    }
}
