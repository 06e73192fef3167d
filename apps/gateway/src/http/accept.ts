/**
 * The offer that a client prefers by its Accept or Accept-Encoding header: the one with the greatest weight, and among
 * equals the first; undefined if it refuses all. The most specific range counts (RFC 9110, 12.5).
 */
export function accepted<T extends string>(header: string | undefined, offers: readonly T[]): T | undefined {
  if (header === undefined || header.trim() === '') return offers[0]
  const weights = new Map<string, number>()
  for (const range of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    weights.set(name, /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0)
  }
  const weightOf = (offer: T) =>
    weights.get(offer) ??
    weights.get(`${offer.split('/')[0]}/*`) ??
    weights.get('*/*') ??
    weights.get('*') ??
    0
  const best = Math.max(...offers.map(weightOf))
  return best > 0 ? offers.find((offer) => weightOf(offer) === best) : undefined
}
