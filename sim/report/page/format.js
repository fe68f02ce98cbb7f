// Numbers and times as people read them.
"use strict";

// 1234567 -> "1.23M", 0.01234 -> "0.0123".
function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return trim(value / 1e9) + "G";
  if (size >= 1e6) return trim(value / 1e6) + "M";
  if (size >= 1e4) return trim(value / 1e3) + "k";
  return trim(value);
}

// Three significant digits; whole numbers stay whole.
function trim(value) {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

// Counts: 2134 -> "2,134", and large ones short.
function grouped(value) {
  return Math.abs(value) >= 1e7 ? short(value) : Math.round(value).toLocaleString("en");
}

// Shares: 0.0123 -> "1.23 %".
const percent = (share) => `${trim(share * 100)} %`;

// Seconds since the trace's start: 75 -> "1:15", 90061 -> "1d 01:01:01".
function clock(seconds) {
  const sign = seconds < 0 ? "-" : "";
  let left = Math.round(Math.abs(seconds));
  const days = Math.floor(left / 86400);
  left -= days * 86400;
  const hours = Math.floor(left / 3600);
  const minutes = Math.floor(left / 60) % 60;
  const two = (n) => String(n).padStart(2, "0");
  const tail = two(left % 60);
  if (days > 0) return `${sign}${days}d ${two(hours)}:${two(minutes)}:${tail}`;
  if (hours > 0) return `${sign}${hours}:${two(minutes)}:${tail}`;
  return `${sign}${minutes}:${tail}`;
}

// For axes, whose ticks are round: leaves out what is zero.
function tick(seconds, step) {
  if (step >= 86400) return `${Math.round(seconds / 86400)}d`;
  if (seconds < 3600 || step < 60) return clock(seconds);
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  const time = minutes === 0 ? `${hours}h` : `${hours}h${String(minutes).padStart(2, "0")}`;
  if (days === 0) return time;
  return time === "0h" ? `${days}d` : `${days}d ${time}`;
}

// 75 -> "1 min 15 s".
function span(seconds) {
  if (seconds < 60) return `${trim(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  return parts.filter(([n]) => n > 0).slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

// Latencies: 0.0123 -> "12.3 ms".
function wait(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  return seconds < 1 ? `${trim(seconds * 1000)} ms` : `${trim(seconds)} s`;
}

// make("p", {className: "note"}, "text", child): an element with its children.
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
