/** What the headers of a body say about it. */

/** The media type, in lower case and without its parameters. */
export function typeOf(contentType = ''): string {
  const [type = ''] = contentType.split(/[;,]/, 1)
  return type.trim().toLowerCase()
}

/** The media type, if its parameters do not say that it is anything but UTF-8: JSON has no other (RFC 8259, 8.1). */
export function mediaType(contentType = ''): string | undefined {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const charsets = parameters
    .map((parameter) => parameter.trim())
    .filter((text) => text.startsWith('charset='))
  return charsets.every((text) => /^charset="?utf-?8"?$/.test(text)) ? type.trim() : undefined
}

/** Whether a body is as it is. `identity` says so, too, although nobody need say it (RFC 9110, 8.4.1). */
export const isPlain = (contentEncoding: string | undefined): boolean =>
  contentEncoding === undefined ||
  contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .every((coding) => coding === '' || coding === 'identity')
