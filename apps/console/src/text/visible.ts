// Controls other than line breaks and tabs; marks of direction; what has no width; two characters that break lines.
const hidden = /[^\P{Cc}\n\t]|\p{Cf}|\u2028|\u2029/gu

/** A text with what the eye cannot see, or what turns a line around, spelled out: `exe.\u202etxt`. */
export const visible = (text: string): string =>
  text.replace(hidden, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
