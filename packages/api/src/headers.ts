/** The headers of answers that mean something to a client, beside Content-Type and what HTTP itself needs. */
export const headers = {
  Link: [
    'The next page, as `<?…>; rel="next"`: relative to the URL of this one. Without it this is the last.',
    '<?limit=100&after=41>; rel="next"',
  ],
  'Retry-After': ['After how many seconds to try again.', '2'],
  ETag: ['Which state, or which description, this is: for If-None-Match.', 'W/"12.7-live"'],
  Location: ['Where what was begun is found: relative to the URL of the request.', '../orders-by-customer'],
  Allow: ['The methods that this path has.', 'GET, HEAD, OPTIONS'],
  'Accept-Post': ['The media types that are taken.', 'application/json, application/x-ndjson'],
  'Accept-Encoding': ['The codings that are taken.', 'identity'],
  'Preference-Applied': ['Which preferences of `Prefer` were followed (RFC 7240).', 'wait=5'],
  'Content-Encoding': ['`gzip` or `br`, if the request accepts it.', 'gzip'],
  Vary: ['Which headers of the request the answer depends on.', 'Accept, Accept-Encoding, Prefer'],
  'Set-Cookie': [
    'The session, which no script can read and no other site makes a browser send.',
    'sekali_session=…; HttpOnly; SameSite=Strict; Max-Age=43200',
  ],
  'WWW-Authenticate': ['How to show who one is (RFC 6750).', 'Bearer realm="sekali"'],
  RateLimit: ['What is left of what a key may publish in a second.', '"events";r=0;t=1'],
  'RateLimit-Policy': ['What a key may publish in a second.', '"events";q=100;w=1'],
  'X-Request-Id': [
    'What the request is called: as it says itself, or else by the gateway. The log has it, too.',
    'a1f3-2k',
  ],
} as const satisfies Record<string, readonly [meaning: string, example: string]>

/** Those that every answer has. */
export const headersOfAll = { 'X-Request-Id': 'always' } as const satisfies Headers

export type HeaderName = keyof typeof headers

/** Which headers an answer has. */
export type Headers = Readonly<Partial<Record<HeaderName, 'always' | 'sometimes'>>>
