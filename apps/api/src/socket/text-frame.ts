/** First byte of the frame of a whole text message (RFC 6455, section 5.2). */
const WHOLE_TEXT = 0x81;
/** Longer payloads have their length in the two bytes, or eight, that follow. */
const MAX_SHORT = 125;
const MAX_MEDIUM = 65_535;

/** A text as the frame in which a server sends it, without compression: what is written to many connections is made once. */
export function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const head = size <= MAX_SHORT ? 2 : size <= MAX_MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = WHOLE_TEXT;
  if (head === 2) frame[1] = size;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame.write(text, head);
  return frame;
}
