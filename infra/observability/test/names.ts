import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const guide = fileURLToPath(new URL('../../../docs/guides/metrics.md', import.meta.url))

/** Names of ours in a text, as they are documented: a histogram has three series of its name. */
export const namesIn = (text: string): Set<string> =>
  new Set([...text.matchAll(/\bsekali_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')))

/** The names in the tables of the guide. */
export const documentedNames: ReadonlySet<string> = namesIn(
  readFileSync(guide, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `sekali_'))
    .join('\n'),
)

interface Panel {
  readonly title: string
  readonly expr: string
}

/** Every expression of a dashboard, with the title of its panel. */
export function panelsOf(dashboard: string): Panel[] {
  const { panels } = JSON.parse(dashboard) as {
    panels: { title: string; targets?: { expr: string }[] }[]
  }
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
}
