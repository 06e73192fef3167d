const begin = '<!-- npm run bench -- --write: begin -->'
const end = '<!-- npm run bench -- --write: end -->'

/** The page with another text between the two marks. Throws when it does not have them. */
export function replaceBetweenMarkers(page: string, text: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`the page must have ${begin} and ${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}`
}
