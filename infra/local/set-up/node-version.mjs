/** The first of each line of Node that strips types without a flag; definitions of projections are TypeScript. */
const firstThatStripsTypes = new Map([
  [22, 18],
  [23, 6],
])

/**
 * Why this Node will not do, in words that say what to do; undefined if it will. `system` is the command that brings the
 * whole system, if it is one.
 */
export function refusalOf(version, system) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 20) return `Node 20 or newer is needed, and this is ${version}. For instance: nvm install 24`
  if (system === undefined || major >= 24 || minor >= (firstThatStripsTypes.get(major) ?? Infinity)) return
  return (
    `${system} needs Node 22.18 or newer, and this is ${version}. Of the others only projection check needs that, too. ` +
    'For instance: nvm install 24'
  )
}
