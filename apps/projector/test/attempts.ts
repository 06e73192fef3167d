/** A file of ours that is not for definitions, by its address: no folder or list of doors hides it from them. */
export const limitsFile = new URL('../../../packages/projection/src/limits.ts', import.meta.url).href

/** A projection whose state says which of its attempts came to anything. */
export const attempts = (name: string, texts: Record<string, string>) => `
const tried: Record<string, string> = {}
const attempt = async (what: string, work: () => unknown) => {
  try { tried[what] = 'did: ' + String(await work()).slice(0, 40) } catch (error) { tried[what] = 'refused' }
}
${Object.entries(texts)
  .map(([what, text]) => `await attempt('${what}', async () => { ${text} })`)
  .join('\n')}
export const one = defineProjection({ name: '${name}', topics: 'orders.>', initial: {}, apply: () => tried })`
