from guanjia.cli.main import main

main()
