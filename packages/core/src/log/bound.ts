/** The issue of a bound that cannot be read, or is of another pattern. */
export const badBound = (path: string, isOfPattern: boolean) => ({
  path,
  code: `invalid_${path}`,
  message: isOfPattern
    ? 'must come from a link, or be topic:seq pairs joined by commas, of topics that match, each once'
    : 'must be the seq of an event',
})
