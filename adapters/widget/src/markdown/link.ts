const PROTOCOLS = new Set(['http:', 'https:', 'mailto:', 'tel:'])

/** The address that a link may lead to, as the browser understands it; null when it may not. */
export function safeAddress(address: string, base: string = document.baseURI): string | null {
  try {
    const url = new URL(address, base)
    return PROTOCOLS.has(url.protocol) ? url.href : null
  } catch {
    return null
  }
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  deg: '°',
  times: '×',
  middot: '·',
  bull: '•',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  larr: '←',
  rarr: '→',
  euro: '€',
  pound: '£',
  shy: '\u00ad',
}

const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,6}));/gi

/** Text with its character references resolved; those nobody writes stay as they are. */
export function decoded(text: string): string {
  return text.replace(ENTITY, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16)
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
  })
}
