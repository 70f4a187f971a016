import { defineConfig } from 'vitest/config'

const OUT = '../botkit_adapters/web/static'

// One classic script, the same bytes each time: it is committed, and compared by widget.sh.
export default defineConfig({
  build: {
    target: 'es2022',
    outDir: OUT,
    emptyOutDir: false,
    minify: 'terser',
    terserOptions: { compress: { passes: 3, ecma: 2020 }, format: { comments: false } },
    cssMinify: true,
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: 'src/main.ts', formats: ['iife'], name: 'botkitWidget', fileName: () => 'widget.js' },
  },
  test: {
    environment: 'happy-dom',
    include: ['../../tests/widget/**/*.test.ts'],
    fileParallelism: false,
  },
})
