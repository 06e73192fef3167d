/** Reads the headers that describe a body. */
import { split, unquoted } from './quoted.ts'

/** The media type, in lower case and without its parameters. */
export function typeOf(contentType = ''): string {
  const at = contentType.search(/[;,]/)
  return (at === -1 ? contentType : contentType.slice(0, at)).trim().toLowerCase()
}

/** The media type, unless its parameters name another charset than UTF-8: JSON has no other (RFC 8259, 8.1). */
export function mediaType(contentType = ''): string | undefined {
  const at = contentType.indexOf(';')
  const type = at === -1 ? contentType : contentType.slice(0, at)
  if (at !== -1 && !isUtf8(contentType.slice(at + 1))) return undefined
  return type.trim().toLowerCase()
}

/** Whether parameters name no other charset. What is no parameter is ignored. */
function isUtf8(parameters: string): boolean {
  for (const parameter of split(parameters.toLowerCase(), ';')) {
    const at = parameter.indexOf('=')
    if (at === -1 || parameter.slice(0, at).trim() !== 'charset') continue
    const charset = unquoted(parameter.slice(at + 1).trim())
    if (charset !== 'utf-8' && charset !== 'utf8') return false
  }
  return true
}

/** Whether a body is sent without a coding. `identity` is none, although nobody need name it (RFC 9110, 8.4.1). */
export const isPlain = (contentEncoding: string | undefined): boolean =>
  contentEncoding === undefined ||
  contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .every((coding) => coding === '' || coding === 'identity')
