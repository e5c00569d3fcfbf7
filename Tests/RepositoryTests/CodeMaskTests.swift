// SPDX-License-Identifier: MIT

import Testing

struct CodeMaskTests {
    @Test(arguments: [
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a \"b\" c", "a     c"),
        ("a \"b\\\"c\" d", "a        d"),
        ("a \"\\(b(c) + d)e\" f", "a    b(c) + d)   f"),
        ("a #\"b\"c\"# d", "a         d"),
        ("\"\"\"\na \"b\"\n\"\"\" c", "   \n     \n    c"),
        ("a \"b\nc", "a   \nc"),
    ])
    func blanksCommentsAndStrings(text: String, expected: String) {
        #expect(CodeMask.mask(text) == expected)
    }

    @Test(arguments: [
        ("func a() {\n}\n", [2]),
        ("init(\n a: Int\n) {\n}\n", [4]),
        ("func a() { self.init() }", [1]),
        ("protocol P {\n func a()\n}\nstruct S {\n\n\n}", []),
        ("func a() {\n func b() { }\n}", [3, 1]),
        ("protocol P {\n func a()\n var b: Int { get }\n}", []),
    ])
    func measuresFunctions(code: String, lineCounts: [Int]) {
        #expect(FunctionScanner.functions(in: code).map(\.lineCount) == lineCounts)
    }
}
