import { defineConfig, type Plugin } from 'vite'

const OUT = '../botkit_adapters/web/static'
const LANGUAGE = /src\/languages\/(?!en|index|packed)[\w-]+\.ts$/

/** Writes the languages as values without keys; the types have seen to it that none is missing. */
function packedLanguages(): Plugin {
  return {
    name: 'packed-languages',
    apply: 'build',
    enforce: 'post',
    transform(code, id) {
      if (!LANGUAGE.test(id)) return null
      const values = [...code.matchAll(/^\s+\w+: ("(?:[^"\\]|\\.)*"),?$/gm)].map((one) => JSON.parse(one[1] ?? ''))
      const text = JSON.stringify(values.join('\n'))
      return { code: `import { unpacked } from './packed'\nexport default unpacked(${text})`, map: null }
    },
  }
}

// One classic script, the same bytes each time: it is committed, and compared by widget.sh.
export default defineConfig({
  plugins: [packedLanguages()],
  build: {
    target: 'es2022',
    outDir: OUT,
    emptyOutDir: false,
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: 'src/main.ts', formats: ['iife'], name: 'botkitWidget', fileName: () => 'widget.js' },
  },
})
