/** Outlines on a grid of 24 by 24. */
export const OUTLINES = {
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
  download: "M12 4v11M6 10l6 6 6-6M5 20h14",
  expand: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  star: "m12 4 2.5 5 5.5.8-4 3.9 1 5.5-5-2.7-5 2.7 1-5.5-4-3.9 5.5-.8z",
};
