### Welsh, a draft: no translator has reviewed it. Every page in Welsh says so.

skip-link = Neidio i'r prif gynnwys
error-prefix = Gwall:
notice = Hysbysiad
languages = Iaith
draft = Drafft
draft-note = Cymraeg drafft: angen ei adolygu.
account = Cyfrif
back = Yn ôl
support-links = Dolenni cymorth

## The Help page

help = Cymorth
help-contact = Os aiff rhywbeth o'i le, cysylltwch â:
help-contact-desk = Os aiff rhywbeth o'i le, cysylltwch â desg gymorth eich sefydliad.
help-reference = Mae tudalennau sy'n aros am eich waled, a thudalennau sy'n sôn am broblem, yn dangos cyfeirnod. Rhowch ef i'r person sy'n eich helpu: ag ef gall ddarganfod beth ddigwyddodd.
help-no-wallet = Os na allwch ddefnyddio waled ddigidol
help-no-wallet-text = Nid oes rhaid i chi ddefnyddio un. Gofynnwch i dîm AD eich cyflogwr am ffordd arall o rannu eich gwybodaeth.
help-assisted = Mae'r sefydliad sy'n rhedeg y gwasanaeth hwn yn dweud:
help-accessibility = I weld pa mor hygyrch yw'r tudalennau hyn, darllenwch y

## The accessibility statement

accessibility = Datganiad hygyrchedd
accessibility-draft = Drafft yw hwn. Bydd y sefydliad sy'n rhedeg y gwasanaeth hwn yn ei gwblhau cyn agor y gwasanaeth.
accessibility-scope = Mae'r datganiad hwn yn ymwneud â thudalennau { $service }.
accessibility-should = Beth ddylech chi allu ei wneud
accessibility-should-list = Dylech allu:
accessibility-should-zoom = chwyddo hyd at 400% heb i'r testun lifo oddi ar y sgrin
accessibility-should-colours = defnyddio eich lliwiau a'ch ffontiau eich hun, ac ychydig o symud
accessibility-should-keyboard = mynd drwy bob tudalen â bysellfwrdd yn unig
accessibility-should-reader = gwrando ar bob tudalen â darllenydd sgrin
accessibility-should-script = gwneud popeth heb JavaScript
accessibility-should-scan = ymdopi heb sganio cod QR, drwy ddolen, cod byr neu waled ar yr un ddyfais
accessibility-status = Pa mor hygyrch yw'r tudalennau hyn
accessibility-status-text = Adeiladwyd y tudalennau hyn i fodloni Canllawiau Hygyrchedd Cynnwys Gwe fersiwn 2.2 ar lefel AA. Mae rhaglenni'n gwirio hynny gyda phob newid. Maent yn canfod tua thraean o'r hyn all fod o'i le; mae angen pobl ar gyfer y gweddill, ac nid oes neb o'r tu allan wedi profi'r tudalennau hyn eto.
accessibility-known = Beth y gwyddom nad yw'n gweithio
accessibility-known-welsh = Drafft yw'r testun Cymraeg, nad yw cyfieithydd wedi ei adolygu.
accessibility-known-wallet = Eraill sy'n gwneud waledi digidol. Ni allwn ddweud pa mor hygyrch ydynt.
accessibility-report = Dywedwch wrthym beth nad yw'n gweithio
accessibility-report-contact = Os dewch o hyd i rywbeth nad yw'n gweithio, neu os oes angen y wybodaeth hon arnoch ar ffurf arall, cysylltwch â:
accessibility-report-desk = Os dewch o hyd i rywbeth nad yw'n gweithio, neu os oes angen y wybodaeth hon arnoch ar ffurf arall, cysylltwch â desg gymorth eich sefydliad.
accessibility-enforcement = Gorfodi
accessibility-enforcement-text = Ym Mhrydain Fawr y Comisiwn Cydraddoldeb a Hawliau Dynol sy'n gorfodi Rheoliadau Hygyrchedd Cyrff Sector Cyhoeddus (Gwefannau a Rhaglenni Symudol) (Rhif 2) 2018. Os nad ydych yn fodlon ar yr ateb i'ch cwyn, cysylltwch â'r Gwasanaeth Cynghori a Chymorth Cydraddoldeb.
