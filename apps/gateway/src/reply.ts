// One place makes every answer, so that none goes without these. An answer is about this moment: nobody may keep it.
const always = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const

export function reply(
  status: number,
  body: string | null,
  headers: Readonly<Record<string, string>> = { 'Content-Type': 'application/json' },
): Response {
  return new Response(body, { status, headers: { ...always, ...headers } })
}
