/** The payload: base64 of a deflate stream of a JSON header and columns of numbers. Written by render/html/pack.py. */

async function decode(text) {
  const letters = atob(text.trim());
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const columns = {};
  let at = 4 + length;
  for (const [name, type, count] of header.columns) {
    columns[name] = type === 'i' ? integers(bytes, at, count) : floats(bytes, at, count);
    at += count * (type === 'i' ? 4 : 8);
  }
  return { header, columns };
}

/** Differences, zigzag, four planes of bytes with the lowest first. */
function integers(bytes, at, count) {
  const values = new Int32Array(count);
  const [b, c, d] = [at + count, at + 2 * count, at + 3 * count];
  for (let i = 0, last = 0; i < count; i++) {
    const coded = (bytes[at + i] | (bytes[b + i] << 8) | (bytes[c + i] << 16) | (bytes[d + i] << 24)) >>> 0;
    last += (coded >>> 1) ^ -(coded & 1);
    values[i] = last;
  }
  return values;
}

function floats(bytes, at, count) {
  const view = new DataView(bytes.buffer, at, 8 * count);
  return Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true));
}
