/** Whether an If-None-Match names a tag, or any. Weak or not makes no difference there (RFC 9110, 13.1.2). */
export const isKnown = (ifNoneMatch: string | undefined, tag: string): boolean =>
  (ifNoneMatch ?? '')
    .split(',')
    .map((text) => text.trim())
    .some((text) => text === '*' || text.replace(/^W\//, '') === `"${tag}"`)
