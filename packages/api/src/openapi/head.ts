/** What the description says of the API as a whole. */

const about = `An exactly-once event log over HTTP.

- Every error is \`application/problem+json\` (RFC 9457). Match on its \`code\`.
- HEAD is answered as GET is, without the body. OPTIONS is answered with 204 and an Allow header, where no operation says otherwise.
- No answer may be kept by a cache (\`Cache-Control: no-store\`), except this description and the files of the console.
- A page may have a \`Link\` with \`rel="next"\`, which is relative to its own URL.
- Payloads and states are JSON of any size of number: a parser that reads numbers as doubles changes those beyond 2^53.`

const aboutKeys =
  'A key, in the header `Authorization: Bearer …`. It is asked for where the gateway has `SEKALI_AUTH=keys`. What the key must be allowed to do is the `x-sekali-scope` of each operation. A page of the gateway may show the cookie of a session in its place.'

export const securitySchemes = { key: { type: 'http', scheme: 'bearer', description: aboutKeys } } as const

const tags = [
  { name: 'publish', description: 'Bring events.' },
  { name: 'read', description: 'Query, replay, follow.' },
  { name: 'projections', description: 'State that is folded of events.' },
  { name: 'subscriptions', description: 'Events that workers work off together.' },
  { name: 'letters', description: 'What could not be stored, and what is done about it.' },
  { name: 'keys', description: 'Who may do what, and what was done.' },
  { name: 'operate', description: 'Figures and health.' },
  { name: 'console', description: 'The page for browsers, and who it is of.' },
] as const

/** With those of the tags that are used. */
export const headOf = (version: string, used: ReadonlySet<string>) => ({
  openapi: '3.1.0',
  info: { title: 'Sekali', version, description: about, license: { name: 'MIT', identifier: 'MIT' } },
  // Relative to the URL of this document, so that it is right behind any prefix of a proxy.
  servers: [{ url: '.' }],
  tags: tags.filter(({ name }) => used.has(name)),
})
