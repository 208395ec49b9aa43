// What HdrHistogram's own reader for JavaScript finds in a log: deliveries and maximum by tag.
//
//   node read_hlog.mjs FILE

import fs from "node:fs";
import process from "node:process";
import hdr from "hdr-histogram-js";

const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[2], "utf8"), 64);
const found = {};
for (let each = reader.nextIntervalHistogram(); each; each = reader.nextIntervalHistogram()) {
  const sum = (found[each.tag] ??= { count: 0, max: 0 });
  sum.count += each.totalCount;
  sum.max = Math.max(sum.max, each.maxValue);
}
console.log(JSON.stringify(found));
