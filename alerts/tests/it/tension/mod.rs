//! The tension index: published examples, properties, the catalogue that ships, forecasts, acts, and what it must not know.

mod absent;
mod act;
mod catalogue;
mod demo;
mod forecast;
mod make;
mod properties;
mod published;
mod share;
mod trend;
